"""What a caller may be allowed to do, and the roles that are sets of it."""

from enum import StrEnum


class Permission(StrEnum):
    SYNC_EXECUTE = "sync:execute"
    """Start, resume and verify; cancel what one asked for oneself."""
    SYNC_DELETE = "sync:delete"
    """Delete extras or sources."""
    SYNC_PRIORITIZE = "sync:prioritize"
    """Go before others."""
    OPERATIONS_READ = "operations:read"
    """Read of operations; plan, where both ends may be read."""
    OPERATIONS_CANCEL = "operations:cancel"
    """Cancel what others asked for; what one asked for oneself takes `sync:execute` only."""
    STORAGE_READ = "storage:read"
    STORAGE_WRITE = "storage:write"
    """Make buckets."""
    INFRASTRUCTURE_READ = "infrastructure:read"
    CONFIGURATION_READ = "configuration:read"
    CONFIGURATION_WRITE = "configuration:write"
    KEYS_MANAGE = "keys:manage"
    AUDIT_READ = "audit:read"


class Role(StrEnum):
    INFRASTRUCTURE_ADMIN = "infrastructure_admin"
    WORKFLOW_OPERATOR = "workflow_operator"
    STORAGE_ADMIN = "storage_admin"
    READONLY_USER = "readonly_user"


_READ = frozenset(
    {Permission.OPERATIONS_READ, Permission.STORAGE_READ, Permission.INFRASTRUCTURE_READ}
)
PERMISSIONS: dict[Role, frozenset[Permission]] = {
    Role.INFRASTRUCTURE_ADMIN: frozenset(Permission),
    Role.WORKFLOW_OPERATOR: _READ
    | {Permission.SYNC_EXECUTE, Permission.SYNC_PRIORITIZE, Permission.OPERATIONS_CANCEL},
    Role.STORAGE_ADMIN: _READ
    | {Permission.SYNC_EXECUTE, Permission.SYNC_DELETE, Permission.STORAGE_WRITE},
    Role.READONLY_USER: _READ,
}
