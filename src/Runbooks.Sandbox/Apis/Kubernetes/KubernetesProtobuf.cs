using Google.Protobuf;

namespace Runbooks.Sandbox.Apis.Kubernetes;

/// <summary>
/// Reads the few objects that <c>kubectl</c> posts as protobuf; answers may be JSON all the same. The bytes begin with
/// <c>k8s\0</c> and hold an envelope with the type and the object itself.
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
                [1] = new("resourceAttributes", new() { [1] = new("namespace"), [2] = new("verb"), [3] = new("group"), [4] = new("version"), [5] = new("resource"), [6] = new("subresource"), [7] = new("name") }),
                [2] = new("nonResourceAttributes", new() { [1] = new("path"), [2] = new("verb") }),
            }),
        },
        ["SelfSubjectRulesReview"] = new() { [2] = new("spec", new() { [1] = new("namespace") }) },
    };

    private static readonly Message s_typeMeta = new() { [1] = new("apiVersion"), [2] = new("kind") };

    /// <returns>Null when it is not one of the objects that are known here.</returns>
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
