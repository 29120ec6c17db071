package io.github.nettyunix.benchmarks.report;

import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import io.github.nettyunix.benchmarks.Result;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Collectors;

/** Rows as a JSON array, one per line. */
public final class Json {
    private static final Gson GSON = new GsonBuilder().serializeNulls().create();

    private Json() {
    }

    public static List<Result> read(Path file) throws IOException {
        return List.of(GSON.fromJson(Files.readString(file), Result[].class));
    }

    public static void write(List<Result> rows, Path file) throws IOException {
        Files.writeString(file, rows.stream().map(GSON::toJson).collect(Collectors.joining(",\n", "[\n", "\n]\n")));
    }
}
