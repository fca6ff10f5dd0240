/** What a server remembers of transactions: staged parts, decisions, watermarks, fences, data. */
package io.holdfast.server.transaction;
