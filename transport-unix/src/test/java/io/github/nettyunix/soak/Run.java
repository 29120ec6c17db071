package io.github.nettyunix.soak;

/** Something that is done over and over, and is to leave nothing behind. */
interface Run {
    /**
     * Does it.
     *
     * @param count how often, roughly
     * @return what was done
     */
    String run(int count) throws Exception;
}
