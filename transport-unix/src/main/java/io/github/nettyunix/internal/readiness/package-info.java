/** Reports when a socket can be read or written: one file per selector. */
package io.github.nettyunix.internal.readiness;
