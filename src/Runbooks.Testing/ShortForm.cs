using YamlDotNet.Core;
using YamlDotNet.Core.Events;
using YamlDotNet.Serialization;

namespace Runbooks.Testing;

/// <summary>Something that a test file writes as one word where there is no more to say, and as a mapping otherwise.</summary>
internal interface IShortForm
{
    void Read(string word);
}

/// <summary>Reads the word; mappings are left to the library.</summary>
internal sealed class ShortFormReader : INodeDeserializer
{
    public bool Deserialize(IParser reader, Type expectedType, Func<IParser, Type, object?> nestedObjectDeserializer, out object? value, ObjectDeserializer rootDeserializer)
    {
        value = null;
        if (!expectedType.IsAssignableTo(typeof(IShortForm)) || !reader.TryConsume<Scalar>(out var word))
        {
            return false;
        }

        var read = (IShortForm)Activator.CreateInstance(expectedType)!;
        read.Read(word.Value);
        value = read;
        return true;
    }
}
