/**
 * Acting for a lost server: its rows are decoded when they are needed, and then by and by, and are
 * read and written here until they have a server of their own again.
 */
package io.holdfast.server.standin;
