package io.github.nettyunix.benchmarks.peer;

import io.github.nettyunix.micrometer.UnixEventLoopMetrics;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import io.netty.channel.EventLoopGroup;

/** Reads the meters of event loops ten times a second, which is more often than monitoring does. */
public final class Scraper {
    /** The system property that a scraped side has. */
    public static final String PROPERTY = "benchmarks.scraped";

    private static final int INTERVAL_MILLIS = 100;

    private Scraper() {
    }

    static void start(EventLoopGroup group) {
        PrometheusMeterRegistry registry = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
        new UnixEventLoopMetrics(group).bindTo(registry);
        Thread thread = new Thread(() -> scrape(registry), "scraper");
        thread.setDaemon(true);
        thread.start();
    }

    private static void scrape(PrometheusMeterRegistry registry) {
        try {
            for (;;) {
                registry.scrape();
                Thread.sleep(INTERVAL_MILLIS);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
