"""Policy administration: policies, paps, permissions, what PDPs and other PAPs get."""
