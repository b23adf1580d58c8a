using k8s;

namespace Runbooks.Sandbox.Apis.Kubernetes;

/// <summary>Answers as the Kubernetes API server gives them: objects, and <c>Status</c> for errors.</summary>
internal static class KubernetesStatus
{
    public static IResult Object(object value, int status = 200) =>
        Results.Text(KubernetesJson.Serialize(value), "application/json", statusCode: status);

    // The client's own Status type can be read but not written.
    public static IResult Error(int status, string reason, string message, string? name = null, string? cause = null) => Results.Json(
        new
        {
            kind = "Status",
            apiVersion = "v1",
            metadata = new { },
            status = "Failure",
            message,
            reason,
            details = new { name, kind = "pods", causes = cause is null ? null : new[] { new { reason = cause, message } } },
            code = status,
        },
        statusCode: status);

    public static IResult Success() => Results.Json(
        new { kind = "Status", apiVersion = "v1", metadata = new { }, status = "Success", code = 201 }, statusCode: 201);

    public static IResult PodNotFound(string name) => Error(404, "NotFound", $"pods \"{name}\" not found", name);

    public static IResult UidConflict(string name, string asked, string actual) => Error(
        409,
        "Conflict",
        $"Operation cannot be fulfilled on pods \"{name}\": the UID in the precondition ({asked}) does not match the UID in record ({actual}). The object might have been deleted and then recreated",
        name);

    public static IResult DisruptionBudget() => Error(
        429, "TooManyRequests", "Cannot evict pod as it would violate the pod's disruption budget.", cause: "DisruptionBudget");

    public static IResult ForStatus(int status, HttpRequest request) => status switch
    {
        401 => Error(401, "Unauthorized", "Unauthorized"),
        403 => Error(
            403,
            "Forbidden",
            $"{request.Path} is forbidden: User \"system:serviceaccount:runbooks:runbooks\" cannot {Verb(request)} resource \"pods\" in API group \"\" in the namespace \"{PracticeCluster.Namespace}\""),
        429 when IsEviction(request) => DisruptionBudget(),
        429 => Error(429, "TooManyRequests", "Too many requests, please try again later."),
        404 => Error(404, "NotFound", "the server could not find the requested resource"),
        409 or 412 => Error(409, "Conflict", "Operation cannot be fulfilled: the object has been modified; please apply your changes to the latest version and try again"),
        _ => Error(status, "InternalError", "Internal error occurred: etcdserver: request timed out"),
    };

    public static bool IsEviction(HttpRequest request) => request.Path.Value!.EndsWith("/eviction", StringComparison.Ordinal);

    private static string Verb(HttpRequest request) => request.Method switch
    {
        "POST" => "create",
        "DELETE" => "delete",
        _ => "get",
    };
}
