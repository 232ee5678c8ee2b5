// SPDX-License-Identifier: GPL-2.0-only
/*
 * struct_ops attached to cgroups: several of a kind may be, in an order, and those
 * of a cgroup are in effect below it too.
 *
 * They are in a list of their own, cgrp->bpf.struct_ops, which readers walk under
 * RCU tasks trace.  Rules and errors are those for programs of a cgroup, see
 * __cgroup_bpf_attach() and get_prog_list().
 */

#include <linux/bpf.h>
#include <linux/bpf-cgroup.h>
#include <linux/cgroup.h>
#include <linux/poll.h>
#include <linux/rcupdate_trace.h>
#include <linux/seq_file.h>
#include <linux/slab.h>

#define MAX_PER_CGROUP	64
#define ATTACH_FLAGS	(BPF_F_ID | BPF_F_BEFORE | BPF_F_AFTER | BPF_F_PREORDER | BPF_F_LINK)

/* What readers see. It outlives the attachment by a grace period. */
struct attached {
	struct list_head node;
	struct bpf_map __rcu *map;
	struct cgroup *cgrp;
	struct bpf_link *link;
	int atype;
	bool preorder;
	struct rcu_head rcu;
};

struct ops_link {
	struct bpf_link link;
	struct attached *attached;	/* NULL once detached */
	wait_queue_head_t wait_hup;
};

/* All lists, attachments and revisions. Not taken with cgroup_mutex held. */
static DEFINE_MUTEX(mutex);

static struct ops_link *ops_link(const struct bpf_link *link)
{
	return container_of(link, struct ops_link, link);
}

/* --- for subsystems --------------------------------------------------------------- */

static bool any_of(struct cgroup *cgrp, int atype, bool preorder,
		   bool (*fn)(void *ops, struct cgroup *cgrp, void *arg), void *arg)
{
	struct attached *a;

	list_for_each_entry_rcu(a, &cgrp->bpf.struct_ops, node, rcu_read_lock_trace_held()) {
		struct bpf_map *map = rcu_dereference_check(a->map, rcu_read_lock_trace_held());

		if (a->atype == atype && a->preorder == preorder &&
		    fn(bpf_struct_ops_map_data(map), a->cgrp, arg))
			return true;
	}
	return false;
}

/**
 * cgroup_struct_ops_any - call a function for struct_ops in effect until it is true
 * @cgrp: cgroup
 * @atype: kind of struct_ops
 * @fn: gets the struct_ops, the cgroup it is attached to, and @arg; may sleep
 * @arg: for @fn
 *
 * Those with BPF_F_PREORDER come first, from the root down; then the others, from
 * @cgrp up.
 *
 * Return: whether it was true for one of them.
 */
bool cgroup_struct_ops_any(struct cgroup *cgrp, int atype,
			   bool (*fn)(void *ops, struct cgroup *cgrp, void *arg), void *arg)
{
	struct cgroup *p;
	bool found = false;
	int level;

	rcu_read_lock_trace();
	for (level = 0; level <= cgrp->level && !found; level++)
		found = any_of(cgroup_ancestor(cgrp, level), atype, true, fn, arg);
	for (p = cgrp; p && !found; p = cgroup_parent(p))
		found = any_of(p, atype, false, fn, arg);
	rcu_read_unlock_trace();
	return found;
}

/* --- detach ------------------------------------------------------------------------- */

static void attached_free(struct rcu_head *rcu)
{
	struct attached *a = container_of(rcu, struct attached, rcu);

	cgroup_put(a->cgrp);
	kfree(a);
}

static void detach_locked(struct ops_link *link)
{
	struct attached *a = link->attached;

	if (!a)
		return;
	link->attached = NULL;
	list_del_rcu(&a->node);
	a->cgrp->bpf.revisions[a->atype]++;
	/* The map waits for a grace period by itself */
	bpf_map_put(rcu_dereference_protected(a->map, lockdep_is_held(&mutex)));
	call_rcu_tasks_trace(&a->rcu, attached_free);
	wake_up_interruptible_poll(&link->wait_hup, EPOLLHUP);
}

static int link_detach(struct bpf_link *link)
{
	guard(mutex)(&mutex);
	detach_locked(ops_link(link));
	return 0;
}

static void link_dealloc(struct bpf_link *link)
{
	link_detach(link);
	kfree(ops_link(link));
}

void cgroup_struct_ops_release(struct cgroup *cgrp)
{
	struct attached *a, *next;

	guard(mutex)(&mutex);
	list_for_each_entry_safe(a, next, &cgrp->bpf.struct_ops, node)
		detach_locked(ops_link(a->link));
}

/* --- attach ------------------------------------------------------------------------- */

static int count_of(struct cgroup *cgrp, int atype)
{
	struct attached *a;
	int n = 0;

	list_for_each_entry(a, &cgrp->bpf.struct_ops, node)
		n += a->atype == atype;
	return n;
}

/* Where to go: after this one */
static struct list_head *place(struct cgroup *cgrp, int atype, u32 flags, u32 id_or_fd)
{
	struct list_head *list = &cgrp->bpf.struct_ops, *found = ERR_PTR(-ENOENT);
	bool before = flags & BPF_F_BEFORE, after = flags & BPF_F_AFTER;
	struct bpf_link *anchor = ERR_PTR(-EINVAL);
	struct attached *a;

	if (!(flags & (BPF_F_LINK | BPF_F_ID)) && !id_or_fd) {
		if (before && after && count_of(cgrp, atype))
			return ERR_PTR(-EINVAL);
		return before ? list : list->prev;
	}
	/* Relative to a link */
	if (!(flags & BPF_F_LINK) || before == after)
		return ERR_PTR(-EINVAL);
	if (flags & BPF_F_ID)
		anchor = bpf_link_by_id(id_or_fd);
	else if (id_or_fd)
		anchor = bpf_link_get_from_fd(id_or_fd);
	if (IS_ERR(anchor))
		return ERR_CAST(anchor);

	list_for_each_entry(a, list, node) {
		if (a->link != anchor || a->atype != atype)
			continue;
		if (a->preorder != !!(flags & BPF_F_PREORDER))
			found = ERR_PTR(-EINVAL);
		else
			found = before ? a->node.prev : &a->node;
		break;
	}
	bpf_link_put(anchor);
	return found;
}

static int attach(struct ops_link *link, struct attached *a, const union bpf_attr *attr)
{
	u64 revision = attr->link_create.cgroup.expected_revision;
	struct cgroup *cgrp = a->cgrp;
	struct list_head *after;

	guard(mutex)(&mutex);
	/* Zero before cgroup_struct_ops_release() */
	if (percpu_ref_is_zero(&cgrp->bpf.refcnt))
		return -ENOENT;
	if (revision && revision != cgrp->bpf.revisions[a->atype])
		return -ESTALE;
	if (count_of(cgrp, a->atype) >= MAX_PER_CGROUP)
		return -E2BIG;
	after = place(cgrp, a->atype, attr->link_create.flags, attr->link_create.cgroup.relative_fd);
	if (IS_ERR(after))
		return PTR_ERR(after);

	list_add_rcu(&a->node, after);
	link->attached = a;
	cgrp->bpf.revisions[a->atype]++;
	return 0;
}

/* --- other operations on links -------------------------------------------------------- */

static int link_update(struct bpf_link *link, struct bpf_map *new_map, struct bpf_map *old_map)
{
	struct attached *a;
	struct bpf_map *map;

	if (!bpf_struct_ops_valid_to_reg(new_map))
		return -EINVAL;

	guard(mutex)(&mutex);
	a = ops_link(link)->attached;
	if (!a)
		return -ENOLINK;
	map = rcu_dereference_protected(a->map, lockdep_is_held(&mutex));
	if (old_map && old_map != map)
		return -EPERM;
	if (bpf_struct_ops_of_map(new_map) != bpf_struct_ops_of_map(map))
		return -EINVAL;

	WRITE_ONCE(new_map->free_after_mult_rcu_gp, true);
	bpf_map_inc(new_map);
	rcu_assign_pointer(a->map, new_map);
	bpf_map_put(map);
	a->cgrp->bpf.revisions[a->atype]++;
	return 0;
}

/* Both 0 once detached */
static void link_ids(const struct bpf_link *link, u32 *map_id, u64 *cgrp_id)
{
	struct attached *a;

	guard(mutex)(&mutex);
	a = ops_link(link)->attached;
	*map_id = a ? rcu_dereference_protected(a->map, lockdep_is_held(&mutex))->id : 0;
	*cgrp_id = a ? cgroup_id(a->cgrp) : 0;
}

static void link_show_fdinfo(const struct bpf_link *link, struct seq_file *seq)
{
	u64 cgrp_id;
	u32 map_id;

	link_ids(link, &map_id, &cgrp_id);
	if (cgrp_id)
		seq_printf(seq, "map_id:\t%u\ncgroup_id:\t%llu\n", map_id, cgrp_id);
}

static int link_fill_link_info(const struct bpf_link *link, struct bpf_link_info *info)
{
	u64 cgrp_id;
	u32 map_id;

	link_ids(link, &map_id, &cgrp_id);
	info->struct_ops.map_id = map_id;
	info->struct_ops.cgroup_id = cgrp_id;
	return 0;
}

static __poll_t link_poll(struct file *file, struct poll_table_struct *pts)
{
	struct ops_link *link = ops_link(file->private_data);

	poll_wait(file, &link->wait_hup, pts);
	return READ_ONCE(link->attached) ? 0 : EPOLLHUP;
}

static const struct bpf_link_ops link_ops = {
	.dealloc = link_dealloc,
	.detach = link_detach,
	.update_map = link_update,
	.show_fdinfo = link_show_fdinfo,
	.fill_link_info = link_fill_link_info,
	.poll = link_poll,
};

/* Takes over the caller's reference on @map */
int cgroup_struct_ops_link_create(const union bpf_attr *attr, struct bpf_map *map)
{
	const struct bpf_struct_ops *ops = bpf_struct_ops_of_map(map);
	struct bpf_link_primer primer;
	struct ops_link *link = NULL;
	struct attached *a = NULL;
	struct cgroup *cgrp;
	int err = -EINVAL;

	if (attr->link_create.flags & ~ATTACH_FLAGS)
		goto put_map;
	cgrp = cgroup_get_from_fd(attr->link_create.target_fd);
	err = PTR_ERR_OR_ZERO(cgrp);
	if (err)
		goto put_map;

	err = -ENOMEM;
	link = kzalloc(sizeof(*link), GFP_USER);
	a = kzalloc(sizeof(*a), GFP_USER);
	if (!link || !a)
		goto put_cgroup;
	a->cgrp = cgrp;
	a->link = &link->link;
	a->atype = ops->cgroup_atype;
	a->preorder = attr->link_create.flags & BPF_F_PREORDER;
	RCU_INIT_POINTER(a->map, map);
	if (ops->free_after_mult_rcu_gp)
		WRITE_ONCE(map->free_after_mult_rcu_gp, true);

	init_waitqueue_head(&link->wait_hup);
	bpf_link_init(&link->link, BPF_LINK_TYPE_STRUCT_OPS, &link_ops, NULL,
		      attr->link_create.attach_type);
	err = bpf_link_prime(&link->link, &primer);
	if (err)
		goto put_cgroup;
	err = attach(link, a, attr);
	if (!err)
		return bpf_link_settle(&primer);

	bpf_link_cleanup(&primer);	/* frees the link */
	link = NULL;
put_cgroup:
	kfree(a);
	kfree(link);
	cgroup_put(cgrp);
put_map:
	bpf_map_put(map);
	return err;
}

/* --- query ---------------------------------------------------------------------------- */

struct ids {
	u32 id[2 * MAX_PER_CGROUP];
	u32 n;
};

static bool note_id(void *ops, struct cgroup *cgrp, void *arg)
{
	struct ids *ids = arg;

	if (ids->n < ARRAY_SIZE(ids->id))
		ids->id[ids->n++] = bpf_struct_ops_id(ops);
	return false;
}

/* BPF_PROG_QUERY with attach_type BPF_STRUCT_OPS: ids of maps instead of programs */
int cgroup_struct_ops_query(const union bpf_attr *attr, union bpf_attr __user *uattr)
{
	u32 __user *to = u64_to_user_ptr(attr->query.prog_ids);
	bool effective = attr->query.query_flags & BPF_F_QUERY_EFFECTIVE;
	int atype = bpf_struct_ops_cgroup_atype(attr->query.type_id), err = 0;
	u32 flags = effective ? 0 : BPF_F_ALLOW_MULTI, n;
	struct ids *ids __free(kfree) = NULL;
	struct cgroup *cgrp;
	struct attached *a;
	u64 revision = 0;

	if (atype <= 0)
		return atype ?: -EINVAL;
	ids = kzalloc(sizeof(*ids), GFP_USER);
	if (!ids)
		return -ENOMEM;
	cgrp = cgroup_get_from_fd(attr->query.target_fd);
	if (IS_ERR(cgrp))
		return PTR_ERR(cgrp);

	if (effective) {
		cgroup_struct_ops_any(cgrp, atype, note_id, ids);
	} else {
		mutex_lock(&mutex);
		list_for_each_entry(a, &cgrp->bpf.struct_ops, node)
			if (a->atype == atype)
				ids->id[ids->n++] = rcu_dereference_protected(
					a->map, lockdep_is_held(&mutex))->id;
		revision = cgrp->bpf.revisions[atype];
		mutex_unlock(&mutex);
	}
	cgroup_put(cgrp);

	n = ids->n;
	if (copy_to_user(&uattr->query.attach_flags, &flags, sizeof(flags)) ||
	    copy_to_user(&uattr->query.prog_cnt, &n, sizeof(n)) ||
	    copy_to_user(&uattr->query.revision, &revision, sizeof(revision)))
		return -EFAULT;
	if (!attr->query.prog_cnt || !to)
		return 0;
	if (attr->query.prog_cnt < n) {
		n = attr->query.prog_cnt;
		err = -ENOSPC;
	}
	return copy_to_user(to, ids->id, n * sizeof(*to)) ? -EFAULT : err;
}
