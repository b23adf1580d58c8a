using System.Reflection;
using System.Text.RegularExpressions;
using TestKit;

namespace Architecture.Tests;

/// <summary>Strangers write what most expressions read, and one that backtracks can be kept busy by a short text for hours. None of ours does.</summary>
public sealed class ExpressionTests
{
    [Theory]
    [MemberData(nameof(LayerTests.Projects), MemberType = typeof(LayerTests))]
    public void GeneratedExpression_CannotBacktrack(string project)
    {
        var types = Assembly.Load(project).GetTypes();
        var expressions = types.SelectMany(type => type.GetMethods(BindingFlags.Static | BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly))
            .Where(method => method.GetCustomAttribute<GeneratedRegexAttribute>() is not null).ToList();

        expressions.Where(method => !method.GetCustomAttribute<GeneratedRegexAttribute>()!.Options.HasFlag(RegexOptions.NonBacktracking))
            .Select(method => $"{method.DeclaringType}.{method.Name}").ShouldBeEmpty();

        // One that is too large for that is refused only when it is first used.
        expressions.ForEach(method => method.Invoke(null, null).ShouldBeAssignableTo<Regex>());
    }

    [Fact]
    public void ExpressionMadeElsewhere_CannotBacktrack()
    {
        var made = from file in Directory.EnumerateFiles(RepositoryRoot.Of("src"), "*.cs", SearchOption.AllDirectories)
                   where !file.Contains($"{Path.DirectorySeparatorChar}obj{Path.DirectorySeparatorChar}", StringComparison.Ordinal)
                   from Match statement in s_made.Matches(File.ReadAllText(file))
                   select $"{file}: {statement.Value}";

        made.ShouldNotBeEmpty();
        made.Where(found => !found.Contains("NonBacktracking", StringComparison.Ordinal)).ShouldBeEmpty();
    }

    /// <summary>From where an expression is made, or used by a static method of the library, to the end of the statement.</summary>
    private static readonly Regex s_made = new(
        @"(\bnew\s+Regex\s*\(|\bRegex\??\s+\w+\s*=\s*new\s*\(|\bRegex\.(IsMatch|Match|Matches|Replace|Split|Count|EnumerateMatches)\s*\()[^;]*;", RegexOptions.NonBacktracking);
}
