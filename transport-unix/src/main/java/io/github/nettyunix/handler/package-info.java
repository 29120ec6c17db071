/**
 * Handlers to be added to the pipelines of {@link io.github.nettyunix} channels: who may talk to them, which
 * descriptors may come in, and how decoders get at those.
 */
package io.github.nettyunix.handler;
