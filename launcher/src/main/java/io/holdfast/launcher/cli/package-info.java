/** Commands, options, exit codes. Results go to standard output, everything else to the other. */
package io.holdfast.launcher.cli;
