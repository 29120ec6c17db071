/** What channels and values have in common: the core of a channel, its settings, the options, and access to values. */
package io.github.nettyunix.internal;
