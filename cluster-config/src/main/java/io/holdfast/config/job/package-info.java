/** A job: everything that all its processes must agree on before training starts. */
package io.holdfast.config.job;
