using System.Linq.Expressions;
using Shouldly;

namespace TestKit;

public static class Each
{
    /// <summary>As <c>ShouldAllBe</c>, which also passes where there is nothing to look at.</summary>
    public static void ShouldEach<T>(this IEnumerable<T> all, Expression<Func<T, bool>> rule)
    {
        var list = all.ToList();
        list.ShouldNotBeEmpty();
        list.ShouldAllBe(rule);
    }
}
