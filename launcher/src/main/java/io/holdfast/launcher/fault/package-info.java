/** Injecting failures into a job's processes, and telling what became of each: docs/faults.md. */
package io.holdfast.launcher.fault;
