CREATE TABLE goods (name TEXT PRIMARY KEY, stock INTEGER NOT NULL);
CREATE TABLE orders (name TEXT NOT NULL, pieces INTEGER NOT NULL);
INSERT INTO goods (name, stock) VALUES ('tea', 12), ('milk', 3);
