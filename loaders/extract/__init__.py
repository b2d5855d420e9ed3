"""From a neutral document to metric rows: tables through the forms, prose through label phrases."""
