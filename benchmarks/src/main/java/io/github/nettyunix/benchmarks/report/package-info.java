/** Presents the results: tables, JSON, charts. */
package io.github.nettyunix.benchmarks.report;
