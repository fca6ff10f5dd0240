/** Child processes of the launcher. */
package io.holdfast.launcher.process;
