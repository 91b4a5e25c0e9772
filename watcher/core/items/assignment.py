"""Which pairs make the best whole?  Pure.

Taking the best pair first can spoil two good ones for the sake of one; this finds the set of pairs with the greatest
total worth, in which no item stands twice and an item may stay alone.  Exact: one shortest path through the
alternatives for each item on the left (Jonker and Volgenant), over those pairs only that are worth something.

Time: items on the left x pairs x log(pairs) at worst; in practice, where most items have one good partner, hardly more
than the number of pairs.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from heapq import heappop, heappush

_ALONE = -1  # stands for "no partner" among the places on the right


def best_pairs(worths: Sequence[Mapping[int, int]]) -> dict[int, int]:
    """Return the partner of each item on the left that gets one.

    Args:
        worths: for each item on the left, by its place, what each pair with an item on the right is worth; more than
            zero.  Where several sets of pairs are worth the same, which one is returned depends on the order of the
            items.
    """
    search = _Search(worths=worths)
    for left in range(len(worths)):
        search.place(left)
    return search.right_of


@dataclass(slots=True, kw_only=True)
class _Search:
    """Pairs found so far, and the prices that prove them best.

    The prices of two items are together never less than what the pair is worth, and exactly that for a pair that was
    taken; an item without a partner has the price 0.
    """

    worths: Sequence[Mapping[int, int]]
    right_of: dict[int, int] = field(default_factory=dict)
    left_of: dict[int, int] = field(default_factory=dict)
    left_prices: dict[int, int] = field(default_factory=dict)
    right_prices: dict[int, int] = field(default_factory=dict)

    def place(self, left: int) -> None:
        """Take in one more item on the left, by the cheapest chain of items that change their partners."""
        worths = self.worths[left]
        self.left_prices[left] = max(0, *(worth - self._price(right) for right, worth in worths.items()), 0)
        reached = {left: 0}  # items on the left that would have to change, with what that costs
        passed: dict[int, int] = {}  # items on the right that they would change to, likewise
        came_from: dict[int, int] = {}
        queue: list[tuple[int, int, int]] = []
        self._offer(left, 0, queue)
        while queue:  # never empty: to be alone is always possible
            cost, right, changing = heappop(queue)
            if right in passed:
                continue
            if right != _ALONE:
                passed[right], came_from[right] = cost, changing
                holder = self.left_of.get(right)
                if holder is not None:
                    reached[holder] = cost
                    self._offer(holder, cost, queue)
                    continue
            self._settle(reached, passed, cost)
            self._change(changing, right, came_from)
            return

    def _offer(self, left: int, cost: int, queue: list[tuple[int, int, int]]) -> None:
        """Queue what an item could change to, each with what the chain costs up to there."""
        price = self.left_prices[left]
        heappush(queue, (cost + price, _ALONE, left))
        for right, worth in self.worths[left].items():
            heappush(queue, (cost + price + self._price(right) - worth, right, left))

    def _price(self, right: int) -> int:
        return self.right_prices.get(right, 0)

    def _settle(self, reached: Mapping[int, int], passed: Mapping[int, int], cost: int) -> None:
        for left, at in reached.items():
            self.left_prices[left] -= cost - at
        for right, at in passed.items():
            self.right_prices[right] = self._price(right) + cost - at

    def _change(self, left: int, right: int, came_from: Mapping[int, int]) -> None:
        """Give every item of the chain its new partner, from the chain's end to its beginning."""
        while True:
            former = self.right_of.pop(left, None)
            if right != _ALONE:
                self.right_of[left], self.left_of[right] = right, left
            if former is None:
                return
            left, right = came_from[former], former
