/** What becomes of the outcome: tables, JSON, charts. */
package io.github.nettyunix.benchmarks.report;
