/**
 * Handlers for the pipelines of {@link io.github.nettyunix} channels:
 * <ul>
 * <li>{@link io.github.nettyunix.handler.PeerAuthorizationHandler} admits or refuses peers by their credentials
 * <li>{@link io.github.nettyunix.handler.FileDescriptorLimitHandler} limits how many descriptors a peer can make this
 * process hold
 * <li>{@link io.github.nettyunix.handler.FileDescriptorTypeHandler} admits descriptors of certain types only
 * <li>{@link io.github.nettyunix.handler.FileDescriptorQueueHandler} separates descriptors from bytes, for decoders
 * <li>{@link io.github.nettyunix.handler.UnixMessageContentHandler} turns messages back into plain buffers, for codecs
 * </ul>
 */
package io.github.nettyunix.handler;
