/** The system calls, on numbers and native memory. */
package io.github.nettyunix.internal.socket;
