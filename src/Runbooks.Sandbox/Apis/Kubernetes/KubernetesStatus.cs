using Google.Protobuf;
using k8s;

namespace Runbooks.Sandbox.Apis.Kubernetes;

/// <summary>Answers as the Kubernetes API server gives them: objects, and <c>Status</c> for errors.</summary>
internal static class KubernetesStatus
{
    public const string Modified = "the object has been modified; please apply your changes to the latest version and try again";

    private const string User = "system:serviceaccount:runbooks:runbooks";

    public static IResult Object(object value, int status = 200) =>
        Results.Text(KubernetesJson.Serialize(value), "application/json", statusCode: status);

    // The client's own Status type can be read but not written.
    public static IResult Error(
        int status,
        string reason,
        string message,
        string? name = null,
        string? cause = null,
        string? kind = null,
        string? group = null) => Results.Json(
        new
        {
            kind = "Status",
            apiVersion = "v1",
            metadata = new { },
            status = "Failure",
            message,
            reason,
            details = kind is null && cause is null
                ? null
                : new
                {
                    name,
                    group = string.IsNullOrEmpty(group) ? null : group,
                    kind,
                    causes = cause is null ? null : new[] { new { reason = cause, message } },
                },
            code = status,
        },
        statusCode: status);

    public static IResult Success() => Results.Json(
        new { kind = "Status", apiVersion = "v1", metadata = new { }, status = "Success", code = 201 }, statusCode: 201);

    /// <summary>As the API server names a resource or a kind: <c>pods</c>, <c>deployments.apps</c>.</summary>
    public static string Qualified(string name, string group) => group.Length == 0 ? name : $"{name}.{group}";

    public static IResult NotFound(ResourceType type, string name) =>
        Error(404, "NotFound", $"{Qualified(type.Plural, type.Group)} \"{name}\" not found", name, kind: type.Plural, group: type.Group);

    /// <param name="kind">The resource; the kind where the UID of a deletion does not match.</param>
    /// <seealso href="https://github.com/kubernetes/kubernetes/blob/v1.33.0/staging/src/k8s.io/apiserver/pkg/registry/rest/delete.go"/>
    /// <seealso href="https://github.com/kubernetes/kubernetes/blob/v1.33.0/pkg/registry/apps/deployment/storage/storage.go"/>
    public static IResult Conflict(string kind, string group, string name, string why) =>
        Error(409, "Conflict", $"Operation cannot be fulfilled on {Qualified(kind, group)} \"{name}\": {why}", name, kind: kind, group: group);

    /// <summary>The answer to a patch of the object itself, where the API server takes the UID for a change of it.</summary>
    /// <seealso href="https://github.com/kubernetes/kubernetes/blob/v1.33.0/staging/src/k8s.io/apimachinery/pkg/api/validation/objectmeta.go"/>
    public static IResult UidImmutable(IKubernetesObject<V1ObjectMeta> read, string group, string asked) => Error(
        422, "Invalid", $"{Qualified(read.Kind, group)} \"{read.Metadata.Name}\" is invalid: metadata.uid: Invalid value: \"{asked}\": "
            + "field is immutable", read.Metadata.Name, kind: read.Kind, group: group);

    public static IResult DisruptionBudget() => Error(
        429, "TooManyRequests", "Cannot evict pod as it would violate the pod's disruption budget.", cause: "DisruptionBudget");

    public static IResult ForStatus(int status, HttpRequest request) => status switch
    {
        401 => Error(401, "Unauthorized", "Unauthorized"),
        403 => Forbidden(request),
        429 when IsEviction(request) => DisruptionBudget(),
        429 => Error(429, "TooManyRequests", "Too many requests, please try again later."),
        404 => Error(404, "NotFound", "the server could not find the requested resource"),
        405 => Error(405, "MethodNotAllowed", "the server does not allow this method on the requested resource"),
        409 or 412 when ResourceRequest.Of(request) is { Name: { } name } about => Conflict(about.Plural, about.Group, name, Modified),
        409 or 412 => Error(409, "Conflict", $"Operation cannot be fulfilled: {Modified}"),
        _ => Error(status, "InternalError", "Internal error occurred: etcdserver: request timed out"),
    };

    public static bool IsEviction(HttpRequest request) => request.Path.Value!.EndsWith("/eviction", StringComparison.Ordinal);

    private static IResult Forbidden(HttpRequest request) => ResourceRequest.Of(request) is { } about
        ? Error(
            403,
            "Forbidden",
            $"{about.Qualified}{(about.Name is { } name ? $" \"{name}\"" : "")} is forbidden: User \"{User}\" cannot {about.Verb} resource "
                + $"\"{about.Resource}\" in API group "
                    + $"\"{about.Group}\" {(about.Namespace is { } ns ? $"in the namespace \"{ns}\"" : "at the cluster scope")}",
            about.Name,
            kind: about.Plural,
            group: about.Group)
        : Error(
            403,
            "Forbidden",
            $"forbidden: User \"{User}\" cannot {request.Method.ToLowerInvariant()} path \"/{string.Join('/', ResourceRequest.PathParts(request))}\"",
            kind: "");
}

/// <summary>What a request does to which resource, as the API server reads it from the path.</summary>
/// <param name="Plural">The resource without its subresource.</param>
internal sealed record ResourceRequest(string Verb, string Group, string Plural, string? Subresource, string? Namespace, string? Name)
{
    public string Resource => Subresource is null ? Plural : $"{Plural}/{Subresource}";

    public string Qualified => KubernetesStatus.Qualified(Plural, Group);

    public static ResourceRequest? Of(HttpRequest request)
    {
        var (group, rest) = PathParts(request) switch
        {
            ["api", _, .. var core] => ("", core),
            ["apis", var named, _, .. var others] => (named, others),
            _ => ("", Array.Empty<string>()),
        };
        var ns = rest is ["namespaces", var found, ..] ? found : null;
        if (rest[(rest is ["namespaces", _, _, ..] ? 2 : 0)..] is not [var plural, .. var below])
        {
            return null;
        }

        var name = below.ElementAtOrDefault(0);
        var verb = request.Method switch
        {
            "POST" => "create",
            "PATCH" => "patch",
            "PUT" => "update",
            "DELETE" => name is null ? "deletecollection" : "delete",
            _ => name is not null ? "get" : request.Query["watch"].ToString() is "true" or "1" ? "watch" : "list",
        };
        return new(verb, group, plural, below.ElementAtOrDefault(1), ns, name);
    }

    /// <summary>The path within the cluster, below <c>/kubernetes/{cluster}</c>.</summary>
    public static string[] PathParts(HttpRequest request) => [.. request.Path.Value!.Split('/', StringSplitOptions.RemoveEmptyEntries).Skip(2)];
}

/// <summary>The caller may do everything except what was taken away.</summary>
internal sealed class AccessReview(FaultRegistry faults)
{
    /// <summary>Everybody may ask for their own permissions.</summary>
    public bool Denies(HttpRequest request) =>
        ResourceRequest.Of(request) is { Group: not "authorization.k8s.io" } about && Denies($"{about.Verb} {about.Resource}");

    private bool Denies(string permission) => faults.Denies("kubernetes", permission);

    public IResult Answer(V1SelfSubjectAccessReview? review)
    {
        if (review?.Spec?.NonResourceAttributes is not null)
        {
            review.Status = new V1SubjectAccessReviewStatus { Allowed = true };
            return KubernetesStatus.Object(review, 201);
        }

        if (review?.Spec?.ResourceAttributes is not { Verb: { } verb, Resource: { } resource } about)
        {
            return KubernetesStatus.Error(400, "BadRequest", "the review must name a verb and a resource");
        }

        var denied = Denies($"{verb} {resource}{(string.IsNullOrEmpty(about.Subresource) ? "" : $"/{about.Subresource}")}");
        review.Status = new V1SubjectAccessReviewStatus { Allowed = !denied, Reason = denied ? "it was taken away on the sandbox" : "" };
        return KubernetesStatus.Object(review, 201);
    }

    /// <summary>For <c>kubectl auth can-i --list</c>.</summary>
    public static IResult Rules(V1SelfSubjectRulesReview? review)
    {
        review ??= new V1SelfSubjectRulesReview { ApiVersion = "authorization.k8s.io/v1", Kind = "SelfSubjectRulesReview" };
        review.Status = new V1SubjectRulesReviewStatus
        {
            Incomplete = false,
            NonResourceRules = [],
            ResourceRules = [new V1ResourceRule { ApiGroups = ["*"], Resources = ["*"], Verbs = ["*"] }],
        };
        return KubernetesStatus.Object(review, 201);
    }
}

/// <summary>
/// Reads the few objects that <c>kubectl</c> posts as protobuf; the answers may be JSON. The bytes begin with <c>k8s\0</c>, then come an
/// envelope with the type, and the object.
/// </summary>
/// <seealso href="https://kubernetes.io/docs/reference/using-api/api-concepts/#protobuf-encoding"/>
internal static class KubernetesProtobuf
{
    public const string ContentType = "application/vnd.kubernetes.protobuf";
    private static readonly byte[] s_magic = "k8s\0"u8.ToArray();

    // Field numbers as in the generated.proto files of Kubernetes.
    private static readonly Message s_preconditions = new() { [1] = new("uid"), [2] = new("resourceVersion") };

    private static readonly Message s_deleteOptions = new()
    {
        [1] = new("gracePeriodSeconds", IsNumber: true), [2] = new("preconditions", s_preconditions), [4] = new("propagationPolicy"),
    };

    private static readonly Message s_metadata = new() { [1] = new("name"), [3] = new("namespace") };

    private static readonly Dictionary<string, Message> s_kinds = new(StringComparer.Ordinal)
    {
        ["DeleteOptions"] = s_deleteOptions,
        ["Eviction"] = new() { [1] = new("metadata", s_metadata), [2] = new("deleteOptions", s_deleteOptions) },
        ["SelfSubjectAccessReview"] = new()
        {
            [2] = new("spec", new()
            {
                [1] = new(
                    "resourceAttributes",
                    new()
                    {
                        [1] = new("namespace"),
                        [2] = new("verb"),
                        [3] = new("group"),
                        [4] = new("version"),
                        [5] = new("resource"),
                        [6] = new("subresource"),
                        [7] = new("name"),
                    }),
                [2] = new("nonResourceAttributes", new() { [1] = new("path"), [2] = new("verb") }),
            }),
        },
        ["SelfSubjectRulesReview"] = new() { [2] = new("spec", new() { [1] = new("namespace") }) },
    };

    private static readonly Message s_typeMeta = new() { [1] = new("apiVersion"), [2] = new("kind") };

    /// <returns>Null when the object is not one of these.</returns>
    public static JsonObject? Read(byte[] body)
    {
        if (!body.AsSpan().StartsWith(s_magic))
        {
            return null;
        }

        try
        {
            using var envelope = new CodedInputStream(body, s_magic.Length, body.Length - s_magic.Length);
            var (type, raw) = (new JsonObject(), ByteString.Empty);
            while (envelope.ReadTag() is > 0 and var tag)
            {
                switch (WireFormat.GetTagFieldNumber(tag))
                {
                    case 1:
                        type = Read(envelope.ReadBytes(), s_typeMeta);
                        break;
                    case 2:
                        raw = envelope.ReadBytes();
                        break;
                    default:
                        envelope.SkipLastField();
                        break;
                }
            }

            if ((string?)type["kind"] is not { } kind || !s_kinds.TryGetValue(kind, out var message))
            {
                return null;
            }

            var read = Read(raw, message);
            (read["apiVersion"], read["kind"]) = ((string?)type["apiVersion"], kind);
            return read;
        }
        catch (InvalidProtocolBufferException)
        {
            return null;
        }
    }

    private static JsonObject Read(ByteString bytes, Message message)
    {
        var (read, input) = (new JsonObject(), bytes.CreateCodedInput());
        while (input.ReadTag() is > 0 and var tag)
        {
            if (!message.TryGetValue(WireFormat.GetTagFieldNumber(tag), out var field))
            {
                input.SkipLastField();
                continue;
            }

            read[field.Name] = field switch
            {
                { IsNumber: true } => input.ReadInt64(),
                { Inner: { } inner } => Read(input.ReadBytes(), inner),
                _ => input.ReadString(),
            };
        }

        return read;
    }

    private sealed class Message : Dictionary<int, Member>;

    private sealed record Member(string Name, Message? Inner = null, bool IsNumber = false);
}
