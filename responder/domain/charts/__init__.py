"""Charts: numbers become shapes here, in units of the drawing. How they look is the business of the pages."""
