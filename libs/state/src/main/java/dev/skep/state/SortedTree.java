package dev.skep.state;

import java.util.Iterator;
import java.util.NoSuchElementException;
import java.util.ArrayDeque;
import java.util.Deque;

/**
 * An immutable sorted map from strings: every change makes a new map that shares all but O(log n) nodes with the old
 * one, so that a snapshot costs nothing and any number of threads may read it. An AVL tree.
 *
 * @param <V> the values
 */
final class SortedTree<V> {
  private static final SortedTree<?> EMPTY = new SortedTree<>(null);

  private record Node<V>(String key, V value, Node<V> left, Node<V> right, int height, int size) {}

  private final Node<V> root;

  private SortedTree(Node<V> root) {
    this.root = root;
  }

  @SuppressWarnings("unchecked") // an empty map holds no value of any type
  static <V> SortedTree<V> empty() {
    return (SortedTree<V>) EMPTY;
  }

  int size() {
    return size(root);
  }

  V get(String key) {
    Node<V> node = root;
    while (node != null) {
      int order = key.compareTo(node.key);
      if (order == 0) {
        return node.value;
      }
      node = order < 0 ? node.left : node.right;
    }
    return null;
  }

  SortedTree<V> with(String key, V value) {
    return new SortedTree<>(put(root, key, value));
  }

  SortedTree<V> without(String key) {
    if (get(key) == null) {
      return this;
    }
    return new SortedTree<>(remove(root, key));
  }

  /** Values whose keys start with the prefix, in key order. */
  Iterable<V> values(String prefix) {
    return () -> new Range(prefix);
  }

  private final class Range implements Iterator<V> {
    private final String prefix;
    private final Deque<Node<V>> path = new ArrayDeque<>();

    Range(String prefix) {
      this.prefix = prefix;
      Node<V> node = root;
      while (node != null) {
        if (node.key.compareTo(prefix) >= 0) {
          path.push(node);
          node = node.left;
        } else {
          node = node.right;
        }
      }
    }

    @Override
    public boolean hasNext() {
      return !path.isEmpty() && path.peek().key.startsWith(prefix);
    }

    @Override
    public V next() {
      if (!hasNext()) {
        throw new NoSuchElementException();
      }
      Node<V> node = path.pop();
      for (Node<V> below = node.right; below != null; below = below.left) {
        path.push(below);
      }
      return node.value;
    }
  }

  private static int height(Node<?> node) {
    return node == null ? 0 : node.height;
  }

  private static int size(Node<?> node) {
    return node == null ? 0 : node.size;
  }

  private static <V> Node<V> node(String key, V value, Node<V> left, Node<V> right) {
    return new Node<>(key, value, left, right, 1 + Math.max(height(left), height(right)), 1 + size(left) + size(right));
  }

  private static <V> Node<V> put(Node<V> node, String key, V value) {
    if (node == null) {
      return node(key, value, null, null);
    }
    int order = key.compareTo(node.key);
    if (order == 0) {
      return node(key, value, node.left, node.right);
    }
    return order < 0
        ? balanced(node.key, node.value, put(node.left, key, value), node.right)
        : balanced(node.key, node.value, node.left, put(node.right, key, value));
  }

  private static <V> Node<V> remove(Node<V> node, String key) {
    int order = key.compareTo(node.key);
    if (order < 0) {
      return balanced(node.key, node.value, remove(node.left, key), node.right);
    }
    if (order > 0) {
      return balanced(node.key, node.value, node.left, remove(node.right, key));
    }
    if (node.left == null) {
      return node.right;
    }
    if (node.right == null) {
      return node.left;
    }
    Node<V> next = node.right;
    while (next.left != null) {
      next = next.left;
    }
    return balanced(next.key, next.value, node.left, remove(node.right, next.key));
  }

  private static <V> Node<V> balanced(String key, V value, Node<V> left, Node<V> right) {
    int lean = height(left) - height(right);
    if (lean > 1) {
      if (height(left.left) >= height(left.right)) {
        return node(left.key, left.value, left.left, node(key, value, left.right, right));
      }
      Node<V> pivot = left.right;
      return node(pivot.key, pivot.value, node(left.key, left.value, left.left, pivot.left), node(key, value, pivot.right, right));
    }
    if (lean < -1) {
      if (height(right.right) >= height(right.left)) {
        return node(right.key, right.value, node(key, value, left, right.left), right.right);
      }
      Node<V> pivot = right.left;
      return node(pivot.key, pivot.value, node(key, value, left, pivot.left), node(right.key, right.value, pivot.right, right.right));
    }
    return node(key, value, left, right);
  }
}
