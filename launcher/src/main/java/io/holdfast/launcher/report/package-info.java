/** What a command leaves behind: JSON with stable keys, see docs/report.md. */
package io.holdfast.launcher.report;
