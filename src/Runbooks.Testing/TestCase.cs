using YamlDotNet.Core;
using YamlDotNet.Core.Events;
using YamlDotNet.Serialization;
using YamlDotNet.Serialization.NamingConventions;

namespace Runbooks.Testing;

/// <summary>One test of a runbook: <c>tests/{runbook}/{case}/test.yaml</c> beside it, with the alert it begins with.</summary>
/// <param name="Folder">Where it is; the last part of the path is its name.</param>
/// <param name="AlertFile">Null when the test itself has the alert, or needs none.</param>
internal sealed record TestCase(string Folder, string RunbookId, string? AlertFile, TestScript Script)
{
    public const string FileName = "test.yaml";

    public string Name => $"{RunbookId}/{Path.GetFileName(Folder)}";

    /// <exception cref="TestCaseException">The file cannot be understood; says where and why.</exception>
    public static TestCase Read(string folder)
    {
        var file = Path.Combine(folder, FileName);
        var script = Parse(file);
        var runbook = Path.GetFileName(Path.GetDirectoryName(Path.GetFullPath(folder)))!;
        var alert = script.ByHand || script.Alert.File is not { } named ? null : Path.Combine(folder, named);
        return alert is null || File.Exists(alert)
            ? new TestCase(folder, runbook, alert, script)
            : throw new TestCaseException($"{file}: 'alert' names {script.Alert.File}, and there is no such file.");
    }

    private static TestScript Parse(string file)
    {
        try
        {
            var deserializer = new DeserializerBuilder().WithNamingConvention(CamelCaseNamingConvention.Instance).WithEnforceRequiredMembers()
                .WithNodeDeserializer(new ShortFormReader(), where => where.OnTop()).Build();
            var script = deserializer.Deserialize<TestScript?>(File.ReadAllText(file)) ?? throw new TestCaseException($"{file} is empty. See docs/runbook-tests.md.");
            script.Validate(problem => throw new TestCaseException($"{file}: {problem} See docs/runbook-tests.md."));
            return script;
        }
        catch (YamlException invalid)
        {
            throw new TestCaseException($"{file}:{invalid.Start.Line}:{invalid.Start.Column}  {invalid.InnerException?.Message ?? invalid.Message}  See docs/runbook-tests.md.");
        }
    }
}

/// <summary>A test file that says nothing that can be tested.</summary>
internal sealed class TestCaseException(string message) : Exception(message);

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
