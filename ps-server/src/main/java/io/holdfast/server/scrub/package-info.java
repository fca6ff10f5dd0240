/**
 * Scrubs: comparing what is kept for others with what it protects, while both change. A holder's
 * side ({@link io.holdfast.server.scrub.Scrubber}) and an owner's ({@link
 * io.holdfast.server.scrub.ScrubAnswers}).
 *
 * <p>A holder asks the owners of a stripe's rows for them. Each answer travels in the stream that
 * brings the owner's differences, so when it arrives exactly the differences before it are folded
 * into the parity; those after it are folded into the parity and into the captured copy. Once all
 * rows are captured, parity and copies describe one moment, though nothing ever stood still.
 */
package io.holdfast.server.scrub;
