/** What channels report about themselves: counters, and events for Flight Recorder. */
package io.github.nettyunix.internal.metrics;
