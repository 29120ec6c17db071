/** Turns an errno into the exception that reports it. */
package io.github.nettyunix.internal.errors;
