package io.github.nettyunix;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.DefaultByteBufHolder;
import io.netty.util.internal.StringUtil;

/**
 * A part of a record that has arrived in pieces, on a channel with {@link UnixSocketOption#RECORD_PARTS}. The parts of
 * a record follow one another without other messages in between. Handlers must release it.
 */
public final class UnixRecordPart extends DefaultByteBufHolder {
    private final boolean last;

    /**
     * Creates a part.
     *
     * @param content the bytes, which the part owns
     * @param last whether the record ends with it
     */
    public UnixRecordPart(ByteBuf content, boolean last) {
        super(content);
        this.last = last;
    }

    /**
     * Returns whether the record ends with this part.
     *
     * @return true if it does
     */
    public boolean isLast() {
        return last;
    }

    @Override
    public UnixRecordPart copy() {
        return (UnixRecordPart) super.copy();
    }

    @Override
    public UnixRecordPart duplicate() {
        return (UnixRecordPart) super.duplicate();
    }

    @Override
    public UnixRecordPart retainedDuplicate() {
        return (UnixRecordPart) super.retainedDuplicate();
    }

    @Override
    public UnixRecordPart replace(ByteBuf content) {
        return new UnixRecordPart(content, last);
    }

    @Override
    public UnixRecordPart retain() {
        super.retain();
        return this;
    }

    @Override
    public UnixRecordPart retain(int increment) {
        super.retain(increment);
        return this;
    }

    @Override
    public UnixRecordPart touch() {
        super.touch();
        return this;
    }

    @Override
    public UnixRecordPart touch(Object hint) {
        super.touch(hint);
        return this;
    }

    @Override
    public boolean equals(Object other) {
        return super.equals(other) && last == ((UnixRecordPart) other).last;
    }

    @Override
    public int hashCode() {
        return 31 * super.hashCode() + Boolean.hashCode(last);
    }

    @Override
    public String toString() {
        return StringUtil.simpleClassName(this) + "(last: " + last + ", " + contentToString() + ')';
    }
}
