package io.github.nettyunix.internal.write;

/** Datagrams in order, linked to one another; a datagram is in one chain at most. */
public final class DatagramChain {
    private OutboundDatagram head;
    private OutboundDatagram tail;

    boolean isEmpty() {
        return head == null;
    }

    OutboundDatagram peek() {
        return head;
    }

    OutboundDatagram poll() {
        OutboundDatagram first = head;
        if (first != null) {
            head = first.next;
            first.next = null;
            if (head == null) {
                tail = null;
            }
        }
        return first;
    }

    void addLast(OutboundDatagram datagram) {
        if (tail == null) {
            head = datagram;
        } else {
            tail.next = datagram;
        }
        tail = datagram;
    }

    void addFirst(OutboundDatagram datagram) {
        datagram.next = head;
        head = datagram;
        if (tail == null) {
            tail = datagram;
        }
    }

    /** Appends all datagrams of another chain. */
    void append(DatagramChain other) {
        if (other.head != null) {
            if (tail == null) {
                head = other.head;
            } else {
                tail.next = other.head;
            }
            tail = other.tail;
            other.clear();
        }
    }

    void clear() {
        head = null;
        tail = null;
    }
}
