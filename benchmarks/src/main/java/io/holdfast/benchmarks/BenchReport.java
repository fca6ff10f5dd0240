package io.holdfast.benchmarks;

import com.fasterxml.jackson.annotation.JsonUnwrapped;
import io.holdfast.launcher.report.Provenance;
import java.util.List;

/**
 * The report of a benchmark; docs/benchmarks.md tells its keys.
 *
 * @param benchmark its name
 * @param vm name and version of the virtual machine
 * @param flags that it runs with
 * @param measurements in the order in which they were made
 * @param provenance the circumstances
 */
record BenchReport(
    String benchmark,
    String vm,
    List<String> flags,
    List<Measurement> measurements,
    @JsonUnwrapped Provenance provenance) {}
