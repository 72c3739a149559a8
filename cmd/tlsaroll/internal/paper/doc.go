// Package paper puts judgements on mail domains on paper: as a page that an
// administrator reads from top to bottom at a terminal, as a line among many, as a table
// for a spreadsheet, and as a page for a browser that a manager reads.
//
// Values go in and text comes out. Much of what it writes was said by servers that
// nobody knows, so nothing of it may move a cursor, run as a formula or become markup.
package paper
