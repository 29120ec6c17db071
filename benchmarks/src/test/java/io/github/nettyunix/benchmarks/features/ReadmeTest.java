package io.github.nettyunix.benchmarks.features;

import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.io.IOException;
import java.lang.reflect.Method;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;

import static org.junit.jupiter.api.Assertions.assertEquals;

/** In the README's table of features, what each cell says about another library has been seen: it has a test. */
class ReadmeTest {
    private static final String HEADER = "| | netty-transport-unix |";
    private static final String NO_API = "–";
    private static final Map<Class<?>, String> COLUMNS = Map.of(NettyTest.class, "Netty's domain channels",
            JunixsocketTest.class, "junixsocket", JdkTest.class, "the JDK's `SocketChannel`");

    @ParameterizedTest
    @ValueSource(classes = {NettyTest.class, JunixsocketTest.class, JdkTest.class})
    void eachCellHasATest(Class<?> tests) throws IOException {
        List<List<String>> table = Files.readAllLines(Path.of("../README.md")).stream()
                .dropWhile(line -> !line.startsWith(HEADER)).takeWhile(line -> line.startsWith("|"))
                .map(line -> Arrays.stream(line.split("\\|")).skip(1).map(String::strip).toList()).toList();
        int column = table.get(0).indexOf(COLUMNS.get(tests));
        Set<String> cells = table.stream().skip(2).filter(row -> !row.get(column).equals(NO_API))
                .map(row -> row.get(0)).collect(Collectors.toCollection(TreeSet::new));
        Set<String> seen = Arrays.stream(tests.getDeclaredMethods()).map(ReadmeTest::name).filter(Objects::nonNull)
                .collect(Collectors.toCollection(TreeSet::new));
        assertEquals(cells, seen);
    }

    private static String name(Method method) {
        DisplayName name = method.getAnnotation(DisplayName.class);
        return name == null ? null : name.value();
    }
}
