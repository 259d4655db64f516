CREATE TABLE goods (id TEXT PRIMARY KEY, stock INTEGER NOT NULL);
CREATE TABLE orders (id TEXT NOT NULL, pieces INTEGER NOT NULL);
INSERT INTO goods (id, stock) VALUES ('tea', 12), ('milk', 3);
