/** Reads from sockets: when, how much, and what messages are made of it. */
package io.github.nettyunix.internal.read;
