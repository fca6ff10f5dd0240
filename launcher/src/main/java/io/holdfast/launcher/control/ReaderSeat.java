package io.holdfast.launcher.control;

import io.holdfast.config.placement.Member;
import io.holdfast.config.placement.PlacementMap;

/** A reader's place in the cluster. */
public record ReaderSeat(Member self, PlacementMap map) {}
