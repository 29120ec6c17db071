package loading;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import static org.junit.jupiter.api.Assertions.assertEquals;

/** Other versions of Netty than the library was compiled with. */
class NettyVersionTest {
    private static String with(String version) throws Exception {
        return Jars.java("-cp", Jars.path(Jars.netty(version), Jars.transport(), Jars.PROBE), "loading.Probe");
    }

    @ParameterizedTest
    @ValueSource(strings = {"netty.newest", "netty.oldest"})
    void itWorks(String version) throws Exception {
        assertEquals(Jars.WORKS, with(version));
    }

    @ParameterizedTest
    @ValueSource(strings = {"netty.too-old", "netty.4.1"})
    void itSaysThatItIsTooOld(String version) throws Exception {
        assertEquals("unavailable: Netty " + System.getProperty(version)
                + " is too old: netty-transport-unix needs 4.2.8.Final or later", with(version));
    }

    @Test
    void theLimitIsTheOneTested() {
        assertEquals("4.2.8.Final", System.getProperty("netty.oldest"));
    }
}
