/** The counters of the Netty Unix transport as meters of <a href="https://micrometer.io">Micrometer</a>. */
package io.github.nettyunix.micrometer;
