using Runbooks.Model.Text;

namespace Runbooks.Catalog.Yaml;

/// <summary>Where something stands in a file; both counted from 1.</summary>
internal readonly record struct Position(int Line, int Column);

/// <summary>What is left of YAML when anchors, aliases, tags and complex keys are refused.</summary>
internal abstract record YamlNode(Position At)
{
    public abstract string Words { get; }
}

/// <param name="Plain">Written without quotes, so that <c>95</c>, <c>true</c> and <c>null</c> are not text.</param>
internal sealed record YamlScalar(string Value, bool Plain, Position At) : YamlNode(At)
{
    public bool IsNull => Plain && Value is "" or "~" or "null";

    public override string Words => IsNull ? "nothing" : $"'{Clip.To(Value, 80)}'";
}

internal sealed record YamlSequence(IReadOnlyList<YamlNode> Items, Position At) : YamlNode(At)
{
    public override string Words => "a list";
}

internal sealed record YamlMapping(IReadOnlyList<YamlEntry> Entries, Position At) : YamlNode(At)
{
    public override string Words => "a mapping";
}

internal sealed record YamlEntry(string Key, Position KeyAt, YamlNode Value);
