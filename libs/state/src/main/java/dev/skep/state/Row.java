package dev.skep.state;

import com.google.protobuf.Message;

/** A stored row: its value and the store revisions at which it was created and last changed. */
public record Row<T extends Message>(Key<T> key, T value, long createRevision, long modRevision) {}
