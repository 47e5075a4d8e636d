/* If: the branch that is taken stands in its place. Conditions must be known when shapes are: constants, and
 * what is computed from shapes and fixed inputs. */
#ifndef OCT_BRANCHES_H
#define OCT_BRANCHES_H

#include "graph.h"

/* Go through the nodes of g in their order and make its list anew. An If whose condition has data in `known`
 * (a copy of g, or g itself) is replaced by the nodes of its branch, and so are those in there; each other
 * node goes to `each`, which appends what is to stand in its place. After an error the rest is appended as
 * it is. *taken: some If was replaced; the graph wants to be sorted then. */
typedef struct oct_walk oct_walk;
typedef octet_status oct_walk_fn(oct_walk *w, const oct_node *n);
struct oct_walk {
    oct_graph *g;
    const oct_graph *known;
    oct_walk_fn *each;
    bool changed, taken; /* changed: for `each` */
    octet_status status;
};
octet_status oct_walk_graph(oct_walk *w);

/* Take the branches that `shaped`, a copy of g after inference, took; nothing else of g changes. Sorts. */
octet_status oct_graph_take_branches(oct_graph *g, const oct_graph *shaped);

#endif
