/* Inside the ONNX reader: a graph in the making, and the scopes in which it looks for names. */
#ifndef OCT_ONNX_BUILD_H
#define OCT_ONNX_BUILD_H

#include "names.h"
#include "onnx_tensor.h"

/* The names of a graph, or of a branch within one: a name that a branch does not give a value itself is one
 * of the graph around it. Texts are those of the values. */
typedef struct oct_scope {
    oct_names names;
    struct oct_scope *outer;      /* NULL: the whole graph */
    int first_own, end_own;       /* a branch: values that it makes or holds */
    int *captured;                /* and those of graphs around it that it reads */
    int captured_count, capacity; /* of captured */
    const char *branch_of;        /* a branch: the name of its If */
} oct_scope;

typedef struct oct_builder {
    oct_graph *graph;
    const onnx_ModelProto *proto;
    oct_onnx_source source;
    oct_scope scope;         /* of the whole graph */
    int64_t opset, ms_opset; /* 0: not imported */
    bool for_inspection;
} oct_builder;

/* The value of this name, made in the whole graph if it is new; -1 when memory is short. */
int oct_scope_value(oct_builder *b, oct_scope *scope, const char *name);
/* A new value of this scope. The name must not be there yet. */
int oct_scope_new_value(oct_builder *b, oct_scope *scope, const char *name);
void oct_scope_free(oct_scope *scope);

octet_status oct_build_initializers(oct_builder *b, oct_scope *scope, const onnx_GraphProto *g);
/* Append a node to the graph's list, with its attributes and branches. Errors name it. */
octet_status oct_build_node(oct_builder *b, oct_scope *scope, const onnx_NodeProto *p, size_t index);
/* What a node's attributes are called and of which kind they are, against its operator's row. Errors:
 * UNSUPPORTED (one that the operator does not have), CORRUPT_FILE (of another kind, or given twice), the
 * node named. */
octet_status oct_check_attributes(const oct_node *node, const onnx_NodeProto *p);
/* Read them, checked: of any node but an If. */
octet_status oct_build_attributes(oct_builder *b, const onnx_NodeProto *p, int node);
/* Both branches of an If at the end of the list, p's attributes; the values that they read become its
 * inputs. */
octet_status oct_build_branches(oct_builder *b, oct_scope *scope, const onnx_NodeProto *p, int node);

octet_status oct_build_no_memory(void);

#endif
