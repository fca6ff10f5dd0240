/** Synthetic rows in Criteo's format whose best reachable AUC and log loss are known. */
package io.holdfast.criteo.synthetic;
