/** What channels report about themselves: events for Flight Recorder. */
package io.github.nettyunix.internal.metrics;
