using System.Buffers.Binary;

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

    private static readonly Message s_envelope = new() { [1] = new("typeMeta", new() { [1] = new("apiVersion"), [2] = new("kind") }) };

    /// <returns>Null when it is not one of the objects that are known here.</returns>
    public static JsonObject? Read(ReadOnlyMemory<byte> body)
    {
        if (!body.Span.StartsWith(s_magic))
        {
            return null;
        }

        var envelope = body[s_magic.Length..];
        var type = Read(envelope, s_envelope)["typeMeta"];
        if ((string?)type?["kind"] is not { } kind || !s_kinds.TryGetValue(kind, out var message))
        {
            return null;
        }

        var read = Read(Field(envelope, 2), message);
        (read["apiVersion"], read["kind"]) = ((string?)type["apiVersion"], kind);
        return read;
    }

    private static JsonObject Read(ReadOnlyMemory<byte> bytes, Message message)
    {
        var read = new JsonObject();
        while (Next(ref bytes, out var number, out var content, out var integer))
        {
            if (message.TryGetValue(number, out var field))
            {
                read[field.Name] = field switch
                {
                    { IsNumber: true } => (long)integer,
                    { Inner: { } inner } => Read(content, inner),
                    _ => Encoding.UTF8.GetString(content.Span),
                };
            }
        }

        return read;
    }

    private static ReadOnlyMemory<byte> Field(ReadOnlyMemory<byte> bytes, int wanted)
    {
        while (Next(ref bytes, out var number, out var content, out _))
        {
            if (number == wanted)
            {
                return content;
            }
        }

        return default;
    }

    private static bool Next(ref ReadOnlyMemory<byte> bytes, out int number, out ReadOnlyMemory<byte> content, out ulong integer)
    {
        number = 0;
        content = default;
        integer = 0;
        if (bytes.IsEmpty || !Varint(ref bytes, out var key))
        {
            return false;
        }

        number = (int)(key >> 3);
        switch (key & 7)
        {
            case 0:
                return Varint(ref bytes, out integer);
            case 1 when bytes.Length >= 8:
                integer = BinaryPrimitives.ReadUInt64LittleEndian(bytes.Span);
                bytes = bytes[8..];
                return true;
            case 2 when Varint(ref bytes, out var length) && length <= (ulong)bytes.Length:
                content = bytes[..(int)length];
                bytes = bytes[(int)length..];
                return true;
            case 5 when bytes.Length >= 4:
                integer = BinaryPrimitives.ReadUInt32LittleEndian(bytes.Span);
                bytes = bytes[4..];
                return true;
            default:
                return false;
        }
    }

    private static bool Varint(ref ReadOnlyMemory<byte> bytes, out ulong value)
    {
        value = 0;
        for (var shift = 0; shift < 64 && !bytes.IsEmpty; shift += 7)
        {
            var part = bytes.Span[0];
            bytes = bytes[1..];
            value |= (ulong)(part & 0x7F) << shift;
            if (part < 0x80)
            {
                return true;
            }
        }

        return false;
    }

    private sealed class Message : Dictionary<int, Member>;

    private sealed record Member(string Name, Message? Inner = null, bool IsNumber = false);
}
