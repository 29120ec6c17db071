package io.github.nettyunix.benchmarks.report;

import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import io.github.nettyunix.benchmarks.Result;

import java.io.IOException;
import java.io.Writer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** Rows as a JSON array, one a line. */
public final class Json {
    private static final Gson GSON = new GsonBuilder().serializeNulls().create();

    private Json() {
    }

    public static List<Result> read(Path file) throws IOException {
        return List.of(GSON.fromJson(Files.readString(file), Result[].class));
    }

    public static void write(List<Result> rows, Path file) throws IOException {
        try (Writer writer = Files.newBufferedWriter(file)) {
            writer.write("[\n");
            for (int i = 0; i < rows.size(); i++) {
                writer.write(GSON.toJson(rows.get(i)) + (i + 1 < rows.size() ? ",\n" : "\n"));
            }
            writer.write("]\n");
        }
    }
}
