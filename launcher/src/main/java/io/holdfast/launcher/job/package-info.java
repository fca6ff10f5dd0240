/** What the commands ask for: training, evaluation, prediction, and the nodes of a cluster. */
package io.holdfast.launcher.job;
