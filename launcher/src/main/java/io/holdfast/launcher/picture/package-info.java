/** Pictures of runs. */
package io.holdfast.launcher.picture;
