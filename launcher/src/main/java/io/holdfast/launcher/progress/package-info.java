/** How far a command is, for people who watch. */
package io.holdfast.launcher.progress;
